// The lens that layers are read through: which one it is, another one, a new fit, and how well each of them reads.
import { ChevronDown } from "lucide-react";
import { DropdownMenu as Menu } from "radix-ui";
import { useState } from "react";
import { useFitLens } from "../../api/lenses";
import { lensFor, lensName, LOGIT } from "../../domain/lens";
import { useLens, useLenses } from "../../run/lens";
import { setView, useViewPart } from "../../run/view";
import { announce } from "../../ui/announce";
import { ErrorNote, Stopped } from "../../ui/notes";
import { Quality } from "./Quality";
import css from "./lens.module.css";

const FITTED = [
  ["tuned", "Fit a tuned lens", "half a minute"],
  ["jacobian", "Fit a Jacobian lens", "some minutes"],
] as const;

export function LensMenu() {
  const chosen = useViewPart("lens");
  const { lens } = useLens();
  const { names, best } = useLenses();
  const fit = useFitLens();
  const [comparing, compare] = useState(false);
  const start = (kind: "tuned" | "jacobian") =>
    fit.mutate(kind, {
      onSuccess: (found) => {
        if (found !== null) announce(`The ${lensName(found.lens.name)} is fitted and in use`);
      },
    });
  return (
    <>
      <Menu.Root modal={false}>
        <Menu.Trigger asChild>
          <button type="button" className="button small" aria-label={`Lens: ${lensName(lens)}`}>
            {lensName(lens)}
            <ChevronDown aria-hidden />
          </button>
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Content className={`popover menu ${css.menu}`} align="start" sideOffset={4} collisionPadding={8}>
            <Menu.RadioGroup value={lens}>
              {names.map((name) => (
                <Menu.RadioItem
                  key={name}
                  value={name}
                  className="menu-item"
                  onSelect={() => setView({ lens: name === best ? "" : name })}
                >
                  <Menu.ItemIndicator className={css.mark}>✓</Menu.ItemIndicator>
                  <span>
                    {lensName(name)} <small className="muted">{lensFor(name)}</small>
                  </span>
                </Menu.RadioItem>
              ))}
            </Menu.RadioGroup>
            <Menu.Separator className={css.line} />
            {FITTED.filter(([kind]) => !names.includes(kind)).map(([kind, label, time]) => (
              <Menu.Item key={kind} className="menu-item" disabled={fit.isPending} onSelect={() => start(kind)}>
                <span>
                  {label} <small className="muted">on text that the model writes: {time}</small>
                </span>
              </Menu.Item>
            ))}
            <Menu.Item className="menu-item" onSelect={() => setTimeout(() => compare(true))}>
              How well do they read?
            </Menu.Item>
          </Menu.Content>
        </Menu.Portal>
      </Menu.Root>
      {lens === LOGIT && chosen === "" && names.length === 1 && !fit.isPending && (
        <button
          type="button"
          className="button small quiet"
          // The menu before it has the same.
          tabIndex={-1}
          data-more
          title="The logit lens reads early layers as noise. A tuned lens foretells from them; the fit takes half a minute, once"
          onClick={() => start("tuned")}
        >
          Readable middle
        </button>
      )}
      {fit.isPending && (
        <span className="muted" role="status">
          fitting…{" "}
          <button type="button" className="button small quiet" onClick={fit.cancel}>
            Stop
          </button>
        </span>
      )}
      {fit.stopped && <Stopped />}
      {fit.error !== null && <ErrorNote failure={fit.error} />}
      {comparing && <Quality names={names} onClose={() => compare(false)} />}
    </>
  );
}
