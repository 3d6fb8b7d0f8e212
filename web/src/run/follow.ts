// The tokens that are followed through the layers: view state, changed from any chip.
import { getView, setView } from "./view";

const MOST = 8;

/** Follow a token, or stop. The first one chosen takes the place of the tokens that are followed by default. */
export function toggleFollowed(id: number): void {
  const { followed } = getView();
  setView({
    followed: followed.includes(id) ? followed.filter((other) => other !== id) : [...followed, id].slice(-MOST),
  });
}
