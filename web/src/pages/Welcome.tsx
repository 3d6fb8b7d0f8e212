// What the page says before the first prompt.
import { useQuery } from "@tanstack/react-query";
import { examplesQuery } from "../api/queries";
import { tourStep } from "../run/overlays";
import { runPrompt } from "../run/draft";
import css from "./shell.module.css";

export function Welcome() {
  const { data } = useQuery(examplesQuery());
  return (
    <main className={css.welcome}>
      <h1>See how a prediction is built, and change it</h1>
      <p>
        Write a prompt above and press Run, or begin with an example. Every layer shows what the model would say before
        and after its feed-forward, and the value vectors that made the difference. Switch vectors off or on and
        compare.
      </p>
      <p>
        <button type="button" className="button primary" onClick={() => tourStep(0)}>
          Take the tour
        </button>
      </p>
      <ul>
        {data?.prompts.map((prompt) => (
          <li key={prompt}>
            <button type="button" className="button" onClick={() => runPrompt(prompt)}>
              <span className="token">{prompt}</span>
            </button>
          </li>
        ))}
      </ul>
    </main>
  );
}
