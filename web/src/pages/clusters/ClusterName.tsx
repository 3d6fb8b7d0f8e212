// A cluster's name, and changing it for everybody who uses the server.
import { Pencil } from "lucide-react";
import { useState } from "react";
import { useRenameCluster } from "../../api/clusters";
import type { ClusterBrief } from "../../api/types";
import { IconButton } from "../../ui/controls";
import { ErrorNote } from "../../ui/notes";
import { shownName } from "./mapPaint";
import css from "./clusters.module.css";

export function ClusterName({ brief }: { brief: ClusterBrief }) {
  const [draft, setDraft] = useState<string | null>(null);
  const rename = useRenameCluster();
  if (draft === null) {
    return (
      <div className={css.paneTitle}>
        <h2 id="cluster-title">{shownName(brief.name)}</h2>
        <IconButton label="Rename" className="small" onClick={() => setDraft(brief.named ? brief.name : "")}>
          <Pencil aria-hidden />
        </IconButton>
      </div>
    );
  }
  return (
    <form
      className={css.paneTitle}
      onSubmit={(event) => {
        event.preventDefault();
        rename.mutate({ id: brief.id, name: draft.trim() }, { onSuccess: () => setDraft(null) });
      }}
    >
      <h2 id="cluster-title" className="hidden">
        {shownName(brief.name)}
      </h2>
      <input
        // The button that was pressed is gone: this is what it was pressed for.
        // eslint-disable-next-line jsx-a11y/no-autofocus
        autoFocus
        className="field"
        aria-label="Name of this cluster"
        placeholder={brief.named ? "Empty: its automatic name" : shownName(brief.name)}
        maxLength={100}
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") setDraft(null);
        }}
      />
      <button type="submit" className="button primary" disabled={rename.isPending}>
        {rename.isPending ? "Saving…" : "Save"}
      </button>
      <button type="button" className="button quiet" onClick={() => setDraft(null)}>
        Cancel
      </button>
      {rename.error !== null && <ErrorNote failure={rename.error} />}
    </form>
  );
}
