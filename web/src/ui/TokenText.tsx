// A token as text that cannot be mistaken: spaces as ·, newlines as ↵, never read as HTML or reordered by direction.
import { memo } from "react";
import { visible } from "../domain/visible";

export const TokenText = memo(function TokenText({ text }: { text: string }) {
  return (
    <bdi className="token" dir="ltr">
      {visible(text)}
    </bdi>
  );
});
