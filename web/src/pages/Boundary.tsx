// Catches what goes wrong in the page itself, so that it never turns blank.
import { Component, type ReactNode } from "react";
import { ErrorNote } from "../ui/notes";
import css from "./shell.module.css";

export class Boundary extends Component<{ children: ReactNode }, { failure: Error | null }> {
  override state = { failure: null };

  static getDerivedStateFromError(failure: Error): { failure: Error } {
    return { failure };
  }

  override render(): ReactNode {
    if (this.state.failure === null) return this.props.children;
    return (
      <main className={css.welcome}>
        <h1>The page has a fault</h1>
        <ErrorNote failure={this.state.failure} />
        <p>
          <button type="button" className="button primary" onClick={() => location.reload()}>
            Reload
          </button>
        </p>
      </main>
    );
  }
}
