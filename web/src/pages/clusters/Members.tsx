// The members of a cluster, the closest to its centre first, as links to their pages.
import { Plus } from "lucide-react";
import type { ClusterMember } from "../../api/types";
import { short, thousands } from "../../domain/numbers";
import { TokenText } from "../../ui/TokenText";
import { addToEdits } from "../../run/edits";
import { UnitLink } from "../../panels/links/links";
import css from "./clusters.module.css";

interface Props {
  members: readonly ClusterMember[];
  size: number;
  onMore?: () => void;
}

export function Members({ members, size, onMore }: Props) {
  return (
    <section aria-labelledby="cluster-members">
      <h3 id="cluster-members" className="section-title">
        Members{" "}
        <span className="muted">
          {members.length < size ? `the ${thousands(members.length)} closest of ${thousands(size)}` : thousands(size)}
        </span>
      </h3>
      <ol className={css.members} aria-label="Members, closest first">
        {members.map(({ value, name, cosine, promotes }) => (
          <li key={value}>
            <UnitLink value={value} className={name ? undefined : "mono"} title={value}>
              {name ?? value}
            </UnitLink>
            <span className={css.memberCosine} title="cosine with the cluster’s centre">
              <i style={{ width: `${Math.max(0, cosine) * 100}%` }} />
              {short(cosine)}
            </span>
            <span className={css.memberTokens}>
              {promotes.map((text, index) => (
                <TokenText key={index} text={text} />
              ))}
            </span>
            <button
              type="button"
              className="button small icon quiet"
              aria-label={`Add ${value}=on to the edits`}
              title={`Add the edit ${value}=on`}
              onClick={() => addToEdits([{ value, operation: "on" }])}
            >
              <Plus aria-hidden />
            </button>
          </li>
        ))}
      </ol>
      {onMore !== undefined && (
        <button type="button" className="button small quiet" onClick={onMore}>
          Show more
        </button>
      )}
    </section>
  );
}
