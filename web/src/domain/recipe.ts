// The text of a recipe's file, as `interventions/recipe.py` reads it. Reading is the server's: it knows the model.
import { formatEdit, type Edit } from "./edit";

/** The file of a group of edits; `model` is the one that they were made for. */
export function recipeText(name: string, edits: readonly Edit[], model: { name: string; fingerprint: string }): string {
  const head = [
    "# LM-Debugger recipe",
    `# name: ${name}`,
    `# model: ${model.name}`,
    `# fingerprint: ${model.fingerprint}`,
  ];
  return [...head, ...edits.map(formatEdit), ""].join("\n");
}

export function fileName(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  return `${plain.slice(0, 60) || "concept"}.recipe.txt`;
}
