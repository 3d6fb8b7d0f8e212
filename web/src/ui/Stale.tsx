// Says that what is shown is not what was asked for last: something else is being computed.

export function Stale({ what }: { what: string }) {
  return (
    <span className="stale-mark" role="status">
      {what} · running…
    </span>
  );
}
