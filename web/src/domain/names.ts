// Names of units: value vectors `L12D345`, `L12E3D45` in a mixture of experts, attention heads `L12H3`. Pure.

export interface UnitParts {
  layer: number;
  kind: "value" | "head";
  expert: number | null;
  /** The dimension of a value vector, the number of a head. */
  dimension: number;
}

const NAME = /^L(\d{1,9})(?:(?:E(\d{1,9}))?D(\d{1,9})|H(\d{1,9}))$/i;

/** The parts of a unit's name, or null. */
export function parseUnitName(text: string): UnitParts | null {
  const match = NAME.exec(text.trim());
  if (match === null) return null;
  const head = match[4];
  return {
    layer: Number(match[1]),
    kind: head === undefined ? "value" : "head",
    expert: match[2] === undefined ? null : Number(match[2]),
    dimension: Number(head ?? match[3]),
  };
}

/** The canonical spelling of a unit's name, or null. */
export function canonicalName(text: string): string | null {
  const parts = parseUnitName(text);
  if (parts === null) return null;
  const { layer, kind, expert, dimension } = parts;
  return kind === "head" ? `L${layer}H${dimension}` : `L${layer}${expert === null ? "" : `E${expert}`}D${dimension}`;
}

/** Whether a name is an attention head's. */
export const isHead = (name: string): boolean => parseUnitName(name)?.kind === "head";
