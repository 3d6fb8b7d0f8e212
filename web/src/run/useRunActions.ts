// What can be done with a run of the tree, wherever it is kept: in this browser, on the server, or both.
import { useDeleteRun, useRetitleRun, useSaveRun } from "../api/queries";
import { readView } from "../domain/view";
import { restore } from "./restore";
import { forget, jump, retitle } from "./past";
import type { RunNode } from "../domain/tree";

/** The server takes no longer ones; such a run is kept with its edits and position alone. */
const LONGEST_VIEW = 20_000;

export function useRunActions(model: string | undefined) {
  const saving = useSaveRun();
  const titling = useRetitleRun();
  const deleting = useDeleteRun();
  return {
    busy: saving.isPending || titling.isPending || deleting.isPending,
    error: saving.error ?? titling.error ?? deleting.error,
    open: (node: RunNode) => {
      if (model !== undefined) jump(model);
      restore(node);
    },
    save: (node: RunNode) =>
      saving.mutate({
        prompt: node.prompt,
        interventions: [...node.interventions],
        position: readView(node.view).position ?? -1,
        title: node.title,
        parent: node.savedAncestor,
        view: node.view.length <= LONGEST_VIEW ? node.view : "",
      }),
    unsave: (node: RunNode) => {
      if (model !== undefined && node.past !== null) retitle(model, node.past, node.title);
      if (node.saved !== null) deleting.mutate(node.saved);
    },
    retitle: (node: RunNode, title: string) => {
      if (node.saved !== null) titling.mutate({ id: node.saved, title });
      else if (model !== undefined && node.past !== null) retitle(model, node.past, title);
    },
    remove: (node: RunNode) => {
      if (model !== undefined && node.past !== null) forget(model, node.past);
      if (node.saved !== null) deleting.mutate(node.saved);
    },
  };
}

export type RunActions = ReturnType<typeof useRunActions>;
