// Words at sizes by their weights, without overlap. d3-cloud finds the places; they are drawn as text in an SVG.
import cloud from "d3-cloud";
import { useEffect, useRef, useState } from "react";
import { useSize } from "./hooks";
import { visible } from "../domain/visible";

export interface Word {
  text: string;
  /** Only its ratio to the other words' weights counts; its sign does not. */
  weight: number;
}

interface Props {
  words: readonly Word[];
  /** What the words are, for those who do not see them. */
  label: string;
  side?: "plus" | "minus";
  height?: number;
}

interface Placed {
  text: string;
  size: number;
  x: number;
  y: number;
}

const SMALLEST = 11;
const LARGEST = 34;
/** The smallest words are still this opaque, so that they can be read. */
const FAINTEST = 0.72;

/** The same words always lie the same way. */
function seeded(): () => number {
  let state = 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

/** Places for all words: smaller ones where they do not fit. */
async function place(words: readonly Word[], width: number, height: number, font: string): Promise<Placed[]> {
  let scale = Math.min(1, Math.max(0.8, width / 520));
  let placed = await attempt(words, width, height, font, scale);
  for (let left = 3; left > 0 && placed.length < words.length; left--) {
    scale *= 0.87;
    placed = await attempt(words, width, height, font, scale);
  }
  return placed;
}

/** Words that do not fit are left out. */
function attempt(
  words: readonly Word[],
  width: number,
  height: number,
  font: string,
  scale: number,
): Promise<Placed[]> {
  const weights = words.map(({ weight }) => Math.abs(weight));
  const least = Math.min(...weights);
  const most = Math.max(...weights, least + 1e-9);
  return new Promise((settle) => {
    cloud<Placed>()
      .words(
        words.map(({ text, weight }) => {
          const part = (Math.abs(weight) - least) / (most - least);
          return { text: visible(text), size: (SMALLEST + (LARGEST - SMALLEST) * part ** 0.8) * scale, x: 0, y: 0 };
        }),
      )
      .size([width, height])
      .font(font)
      .fontSize(({ size }) => size)
      .rotate(0)
      .padding(2)
      .random(seeded())
      .timeInterval(12)
      .on("end", (placed) => settle(placed))
      .start();
  });
}

export function WordCloud({ words, label, side = "plus", height = 200 }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const { width } = useSize(box);
  const [placed, setPlaced] = useState<{ of: string; words: Placed[] }>({ of: "", words: [] });
  const key = JSON.stringify([words, Math.round(width), height]);
  useEffect(() => {
    const [listed, wide, high] = JSON.parse(key) as [Word[], number, number];
    if (wide < 1 || listed.length === 0) return;
    let wanted = true;
    const font = getComputedStyle(document.documentElement).getPropertyValue("--mono");
    void document.fonts.load(`16px ${font}`).then(async () => {
      const found = await place(listed, wide, high, font);
      if (wanted) setPlaced({ of: key, words: found });
    });
    return () => {
      wanted = false;
    };
  }, [key]);
  const listed = words.map(({ text }) => visible(text)).join(", ");
  return (
    <div ref={box} className="word-cloud" style={{ height }}>
      {width > 0 && (
        <svg
          role="img"
          aria-label={`${label}: ${listed}`}
          viewBox={`${-width / 2} ${-height / 2} ${width} ${height}`}
          width={width}
          height={height}
        >
          {placed.of === key &&
            placed.words.map(({ text, size, x, y }, index) => (
              <text
                key={index}
                x={x}
                y={y}
                fontSize={size}
                textAnchor="middle"
                className={side}
                opacity={Math.min(1, FAINTEST + (1 - FAINTEST) * ((size - SMALLEST) / (LARGEST - SMALLEST)))}
              >
                {text}
              </text>
            ))}
        </svg>
      )}
    </div>
  );
}
