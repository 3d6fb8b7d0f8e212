// The shared controls: Radix primitives in the page's clothes. They know nothing of models.
import { Popover as P, Switch as S, ToggleGroup, Tooltip as T } from "radix-ui";
import type { ComponentProps, ReactNode } from "react";

export function Tip({ label, children }: { label: ReactNode; children: ReactNode }) {
  return (
    <T.Root>
      <T.Trigger asChild>{children}</T.Trigger>
      <T.Portal>
        <T.Content className="tooltip" sideOffset={4} collisionPadding={8}>
          {label}
        </T.Content>
      </T.Portal>
    </T.Root>
  );
}

type IconButtonProps = ComponentProps<"button"> & {
  label: string;
  hint?: string;
  /** One of a group that is reached by arrow keys. */
  rove?: boolean;
};

/** A button that shows only an icon; its label is read out and shown on hover. */
export function IconButton({ label, hint, rove = false, className = "", children, ...rest }: IconButtonProps) {
  return (
    <Tip label={hint === undefined ? label : `${label} (${hint})`}>
      <button
        type="button"
        className={`button icon quiet ${className}`}
        aria-label={label}
        {...(rove ? { "data-rove": true, tabIndex: -1 } : {})}
        {...rest}
      >
        {children}
      </button>
    </Tip>
  );
}

interface SegmentsProps<V extends string> {
  label: string;
  value: V;
  options: readonly { value: V; label: string; disabled?: boolean; title?: string }[];
  onChange: (value: V) => void;
}

/** One of a few choices. */
export function Segments<V extends string>({ label, value, options, onChange }: SegmentsProps<V>) {
  return (
    <ToggleGroup.Root
      type="single"
      className="segments"
      aria-label={label}
      value={value}
      onValueChange={(next) => {
        if (next !== "") onChange(next as V);
      }}
    >
      {options.map((option) => (
        <ToggleGroup.Item key={option.value} value={option.value} disabled={option.disabled} title={option.title}>
          {option.label}
        </ToggleGroup.Item>
      ))}
    </ToggleGroup.Root>
  );
}

export function Switch({ label, ...rest }: ComponentProps<typeof S.Root> & { label: string }) {
  return (
    <S.Root className="switch" aria-label={label} {...rest}>
      <S.Thumb />
    </S.Root>
  );
}

interface PopoverProps {
  trigger: ReactNode;
  label: string;
  align?: "start" | "center" | "end";
  children: ReactNode;
}

export function Popover({ trigger, label, align = "start", children }: PopoverProps) {
  return (
    <P.Root>
      <P.Trigger asChild>{trigger}</P.Trigger>
      <P.Portal>
        <P.Content className="popover" aria-label={label} align={align} sideOffset={6} collisionPadding={8}>
          {children}
        </P.Content>
      </P.Portal>
    </P.Root>
  );
}
