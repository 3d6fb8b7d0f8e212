// Hands the session to the features. Nothing else is shared between them.
import { createContext, use } from "react";
import type { Session } from "./useSession";

export const SessionContext = createContext<Session | null>(null);

export function useCurrentSession(): Session {
  const session = use(SessionContext);
  if (session === null) throw new Error("The session is read outside of its provider.");
  return session;
}
