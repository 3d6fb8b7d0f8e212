// The top bar of the Explore page: model, pages, and what of the prediction view goes along: its prompt and edits.
import { Link } from "../../panels/links/Link";
import { visible } from "../../domain/visible";
import { COMMAND } from "../../panels/bar/PromptBar";
import { MoreMenu } from "../../panels/bar/MoreMenu";
import bar from "../../panels/bar/bar.module.css";
import { ModelBadge } from "../../panels/bar/ModelBadge";
import { addressOf, useView } from "../../run/view";
import { Pages } from "../../panels/links/Pages";
import css from "./explore.module.css";

export function ExploreBar() {
  const view = useView();
  const edits = view.edits.length;
  return (
    <header className={`${bar.top} ${css.exploreTop}`}>
      <ModelBadge />
      <Pages />
      <span className="grow" />
      {view.prompt !== "" && (
        <Link className={css.explorePrompt} href={addressOf(view)} title={visible(view.prompt)}>
          <span className="mono">{visible(view.prompt)}</span>
          {edits > 0 && <b>{edits === 1 ? "1 edit" : `${edits} edits`}</b>}
        </Link>
      )}
      <MoreMenu command={COMMAND} />
    </header>
  );
}
