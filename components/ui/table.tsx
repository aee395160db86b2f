import type { ComponentProps } from "react";
import { cn } from "@/components/ui/cn";

/**
 * Plain table parts. Under 640 px each row becomes two lines: the `primary` cell is the first,
 * the others follow in small type on the second, each after its `label` where one is given.
 */
export function Table({
  className,
  label,
  ...rest
}: ComponentProps<"table"> & {
  /** What the table lists; also makes a long table reachable by keyboard for scrolling. */
  readonly label?: string;
}) {
  return (
    <div
      {...(label === undefined ? {} : { role: "region", "aria-label": label, tabIndex: 0 })}
      className="w-full overflow-x-auto rounded-md border border-line max-sm:overflow-visible sm:max-h-[calc(100dvh-10rem)] print:max-h-none"
    >
      <table aria-label={label} className={cn("w-full border-collapse text-sm max-sm:block", className)} {...rest} />
    </div>
  );
}

export function Thead({ className, ...rest }: ComponentProps<"thead">) {
  return <thead className={cn("bg-surface max-sm:sr-only", className)} {...rest} />;
}

export function Tbody({ className, ...rest }: ComponentProps<"tbody">) {
  return <tbody className={cn("max-sm:block", className)} {...rest} />;
}

export function Tr({ className, ...rest }: ComponentProps<"tr">) {
  return (
    <tr
      className={cn(
        "border-b border-line last:border-b-0 focus-visible:-outline-offset-2 aria-selected:bg-accent-soft data-[open=true]:bg-accent-soft [tbody_&]:hover:bg-hover",
        "max-sm:flex max-sm:flex-wrap max-sm:items-center max-sm:gap-x-3 max-sm:gap-y-0.5 max-sm:px-3 max-sm:py-2",
        className,
      )}
      {...rest}
    />
  );
}

export function Th({ className, numeric, ...rest }: ComponentProps<"th"> & { readonly numeric?: boolean }) {
  return (
    <th
      scope="col"
      className={cn(
        "sticky top-0 z-10 h-8 bg-surface px-3 text-left text-xs font-medium whitespace-nowrap text-muted",
        numeric && "text-right",
        className,
      )}
      {...rest}
    />
  );
}

export type TdProps = ComponentProps<"td"> & {
  readonly numeric?: boolean;
  /** The first line of a narrow row. */
  readonly primary?: boolean;
  /** Said before the value on a narrow row. */
  readonly label?: string;
  readonly hideNarrow?: boolean;
};

export function Td({ className, numeric, primary, label, hideNarrow, ...rest }: TdProps) {
  return (
    <td
      data-label={label}
      className={cn(
        "h-8 px-3 py-1 align-middle whitespace-nowrap max-sm:h-auto max-sm:p-0 max-sm:min-w-0 max-sm:text-xs max-sm:wrap-anywhere max-sm:whitespace-normal",
        numeric && "text-right tabular-nums",
        primary && "max-sm:w-full max-sm:text-sm",
        label && "max-sm:before:mr-1 max-sm:before:text-muted max-sm:before:content-[attr(data-label)]",
        hideNarrow && "max-sm:hidden",
        className,
      )}
      {...rest}
    />
  );
}
