// Writes keywords in the search's grammar; the server reads it. Pure.

const ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\t": "\\t", "\r": "\\r" };

/** The keyword for exactly this text. */
export const exactly = (text: string): string =>
  `"${text.replace(/[\\"\n\t\r]/g, (character) => ESCAPES[character] ?? `\\${character}`)}"`;
