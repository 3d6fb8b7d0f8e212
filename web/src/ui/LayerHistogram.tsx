// How many of something lie in each layer, as bars; a click on one chooses the layer.

interface Props {
  /** One count for each layer, from layer 0. */
  counts: readonly number[];
  /** What is counted, in the plural: "members". */
  label: string;
  /** First and last chosen layer. */
  chosen?: readonly [number, number] | null;
  /** What else is said of a layer when it is pointed at. */
  describe?: (layer: number) => string;
  onChoose?: (layer: number) => void;
}

export function LayerHistogram({ counts, label, chosen = null, describe, onChoose }: Props) {
  const most = Math.max(...counts, 1);
  const step = counts.length > 48 ? 10 : counts.length > 16 ? 5 : 1;
  return (
    <ol className="layer-histogram" aria-label={`Number of ${label} in each layer`}>
      {counts.map((count, layer) => {
        const said = `layer ${layer}: ${count} ${label}${describe === undefined ? "" : `, ${describe(layer)}`}`;
        const inside = chosen === null || (layer >= chosen[0] && layer <= chosen[1]);
        const bar = <i style={{ height: `${(count / most) * 100}%` }} />;
        return (
          <li key={layer} data-inside={inside} data-none={count === 0}>
            {onChoose === undefined ? (
              <span className="layer-bar" title={said}>
                <span className="hidden">{said}</span>
                {bar}
              </span>
            ) : (
              <button
                type="button"
                className="layer-bar"
                title={said}
                aria-label={said}
                aria-pressed={chosen !== null && inside}
                onClick={() => onChoose(layer)}
              >
                {bar}
              </button>
            )}
            <small aria-hidden>{layer % step === 0 ? layer : ""}</small>
          </li>
        );
      })}
    </ol>
  );
}
