// The top bar of the Explore page: model, pages, and what of the prediction view goes along: its prompt and edits.
import { CircleHelp } from "lucide-react";
import { IconButton } from "../../ui/controls";
import { Link } from "../../ui/Link";
import { ThemeToggle } from "../../ui/ThemeToggle";
import { visible } from "../../domain/visible";
import { ModelBadge } from "../../panels/bar/ModelBadge";
import { addressOf, useView } from "../../run/view";
import { Pages } from "../../panels/links/Pages";

export function ExploreBar({ onHelp }: { onHelp: () => void }) {
  const view = useView();
  const edits = view.edits.length;
  return (
    <header className="top explore-top">
      <ModelBadge />
      <Pages />
      <span className="grow" />
      {view.prompt !== "" && (
        <Link className="explore-prompt" href={addressOf(view)} title={visible(view.prompt)}>
          <span className="mono">{visible(view.prompt)}</span>
          {edits > 0 && <b>{edits === 1 ? "1 edit" : `${edits} edits`}</b>}
        </Link>
      )}
      <div className="top-tools">
        <ThemeToggle />
        <IconButton label="Keyboard shortcuts" hint="?" onClick={onHelp}>
          <CircleHelp aria-hidden />
        </IconButton>
      </div>
    </header>
  );
}
