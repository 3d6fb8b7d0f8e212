// Copies a vector's name, or a link to its page.
import { Copy, Link2 } from "lucide-react";
import { useState } from "react";
import { IconButton } from "../../ui/controls";
import { shareAddress } from "../../run/explore";

export function CopyButtons({ value }: { value: string }) {
  const [copied, setCopied] = useState("");
  const copy = (what: string, text: string) => {
    void navigator.clipboard
      .writeText(text)
      .catch(() => window.prompt("Copy this:", text))
      .then(() => setCopied(what));
    setTimeout(() => setCopied(""), 1500);
  };
  return (
    <>
      <IconButton
        label={copied === "name" ? "Copied" : `Copy ${value}`}
        className="small"
        onClick={() => copy("name", value)}
      >
        <Copy aria-hidden />
      </IconButton>
      <IconButton
        label={copied === "link" ? "Link copied" : "Copy a link to its page"}
        className="small"
        onClick={() => copy("link", shareAddress(value))}
      >
        <Link2 aria-hidden />
      </IconButton>
    </>
  );
}
