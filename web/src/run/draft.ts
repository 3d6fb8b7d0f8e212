// The prompt as it is being written: it becomes the run's when it is run, and is still there after a visit to Explore.
import { createStore, useStore } from "../ui/store";
import { getView, setView, useViewPart } from "./view";

const store = createStore({ of: "", text: "" });

/** The draft; where the view's prompt changed elsewhere (an example, a run, the back button), that. */
export function useDraft(): { text: string; write: (text: string) => void; unrun: boolean } {
  const prompt = useViewPart("prompt");
  const draft = useStore(store);
  const text = draft.of === prompt ? draft.text : prompt;
  return { text, write: (next) => store.set({ of: prompt, text: next }), unrun: text !== prompt };
}

/** Make a text the prompt that is run: the places and the continuation of the old one do not apply to it. */
export function runPrompt(prompt: string): void {
  store.set({ of: prompt, text: prompt });
  if (prompt === getView().prompt || prompt === "") return;
  setView({ prompt, session: "", position: null, generate: 0, followed: [], target: null, versus: null });
}
