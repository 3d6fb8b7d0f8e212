// The guided tour as data: observe, why, change, fix. Each step says what to look at and what to do, and can do it.
import { runPrompt } from "../run/draft";
import { getView, setView } from "../run/view";

export interface TourStep {
  title: string;
  text: string;
  /** What is pointed at. */
  at: string;
  /** Puts the page where the step is about. */
  perform: () => void;
}

export const TOUR_PROMPT = "My wife is working as a";

export const TOUR: readonly TourStep[] = [
  {
    title: "Observe",
    text: "The map shows what the model would say after each layer, at each token. The last layer is on top: its cell at the last token is the prediction. Click any cell.",
    at: '[aria-label="Map of layers and tokens"]',
    perform: () => {
      if (getView().prompt !== TOUR_PROMPT) runPrompt(TOUR_PROMPT);
      setView({ panel: "grid", inspect: "auto", value: "", all: false });
    },
  },
  {
    title: "One layer",
    text: "A layer from left to right: what its heads bring, what the model would say before its feed-forward, the value vectors that are added, and after. ↑ and ↓ move through the layers.",
    at: '[aria-labelledby="layer-title"]',
    perform: () => setView({ layer: 28 }),
  },
  {
    title: "Why this token",
    text: "Every head and value vector of all layers by what it adds to the token’s logit. It adds up exactly. Set it against another token, swap them, or verify: the likeliest are switched off, one by one.",
    at: '[aria-label="Why"]',
    perform: () => setView({ inspect: "why" }),
  },
  {
    title: "Where it came from",
    text: "The flow shows the routes back to the tokens: 15 edges at first, more with a lower threshold. An edge tells its heads; pin one to keep its route.",
    at: '[aria-label="Map of layers and tokens"]',
    perform: () => setView({ panel: "flow" }),
  },
  {
    title: "Change it",
    text: "Press off on any unit, or write an edit here. The page runs again by itself and compares: A is the run without edits, B with them, Δ the difference.",
    at: '[aria-labelledby="edits-title"]',
    perform: () => setView({ panel: "grid" }),
  },
  {
    title: "Stop where it happens",
    text: 'Write a breakpoint, such as p(" nurse") > 5%, and press the bug: generation pauses where it is true. Step over a token or into its layers, go back, edit and go on.',
    at: '[aria-labelledby="breakpoints-title"]',
    perform: () => undefined,
  },
  {
    title: "Fix it",
    text: "Choose the token that should win and press Fix: the smallest set of edits that makes it so is searched for and verified, here and on other text. Adopt them, and they are edits like any others.",
    at: '[aria-label="Fix"]',
    perform: () => setView({ inspect: "why" }),
  },
];
