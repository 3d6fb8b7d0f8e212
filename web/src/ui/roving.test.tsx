// @vitest-environment jsdom
import "../test-setup";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import { useRoving } from "./roving";

function Group({ items }: { items: readonly string[] }) {
  const group = useRoving<HTMLUListElement>();
  return (
    <>
      <button>before</button>
      <ul ref={group}>
        {items.map((item) => (
          <li key={item}>
            <button data-rove tabIndex={-1}>
              {item}
            </button>
          </li>
        ))}
      </ul>
      <button>behind</button>
    </>
  );
}

const focused = () => document.activeElement?.textContent;

it("is one tab stop; arrow keys move inside, and one comes back to where one was", async () => {
  const user = userEvent.setup();
  const page = vi.fn();
  document.addEventListener("keydown", page);
  render(<Group items={["a", "b", "c"]} />);
  await user.tab();
  await user.tab();
  expect(focused()).toBe("a");
  page.mockClear();
  await user.keyboard("{ArrowRight}{ArrowRight}");
  expect(focused()).toBe("c");
  expect(page).not.toHaveBeenCalled();
  await user.tab();
  expect(focused()).toBe("behind");
  await user.tab({ shift: true });
  expect(focused()).toBe("c");
  document.removeEventListener("keydown", page);
});

it("keeps a stop when the item that had it goes", async () => {
  const user = userEvent.setup();
  const { rerender } = render(<Group items={["a", "b"]} />);
  rerender(<Group items={["c"]} />);
  screen.getByText("before").focus();
  await user.tab();
  expect(focused()).toBe("c");
});

it("leaves arrow keys to the page for those who came by mouse", async () => {
  const user = userEvent.setup();
  render(<Group items={["a", "b"]} />);
  await user.click(screen.getByText("a"));
  await user.keyboard("{ArrowRight}");
  expect(focused()).toBe("a");
});
