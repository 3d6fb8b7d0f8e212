// The users' names of units, by unit.
import { useQuery } from "@tanstack/react-query";
import { namesQuery } from "../api/queries";
import type { Names } from "../api/types";

const byUnit = ({ names }: Names): ReadonlyMap<string, string> =>
  new Map(names.flatMap(({ value, name }) => (name ? [[value, name] as const] : [])));

const NONE: ReadonlyMap<string, string> = new Map();

export const useNames = (): ReadonlyMap<string, string> => useQuery({ ...namesQuery(), select: byUnit }).data ?? NONE;
