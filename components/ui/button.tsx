import { cva, type VariantProps } from "class-variance-authority";
import { LoaderCircle } from "lucide-react";
import { Slot } from "radix-ui";
import type { ComponentProps } from "react";
import { cn } from "@/components/ui/cn";

export const buttonClass = cva(
  "inline-flex shrink-0 items-center justify-center gap-2 whitespace-nowrap rounded-md border font-medium transition-colors select-none disabled:cursor-not-allowed disabled:opacity-60 [&_svg]:size-4 [&_svg]:shrink-0",
  {
    variants: {
      variant: {
        primary: "border-transparent bg-accent text-on-accent enabled:hover:bg-accent-hover [a&]:hover:bg-accent-hover",
        secondary: "border-line bg-raised text-text enabled:hover:bg-hover [a&]:hover:bg-hover",
        ghost: "border-transparent bg-transparent text-text enabled:hover:bg-hover [a&]:hover:bg-hover",
        danger: "border-transparent bg-bad-solid text-on-accent enabled:hover:opacity-90",
        link: "border-transparent bg-transparent px-0 text-accent-text underline underline-offset-2",
      },
      size: {
        sm: "h-6 px-2 text-xs",
        md: "h-8 px-3 text-sm",
        icon: "size-8 p-0",
        "icon-sm": "size-6 p-0",
      },
    },
    compoundVariants: [{ variant: "link", class: "px-0" }],
    defaultVariants: { variant: "secondary", size: "md" },
  },
);

export type ButtonProps = ComponentProps<"button"> &
  VariantProps<typeof buttonClass> & {
    /** Renders the only child (a link) with the look of a button. */
    readonly asChild?: boolean;
    /** Work is under way: shows it and refuses another press. */
    readonly pending?: boolean;
  };

export function Button({ className, variant, size, asChild, pending, disabled, children, ...rest }: ButtonProps) {
  const classes = cn(buttonClass({ variant, size }), className);
  if (asChild) {
    return (
      <Slot.Root className={classes} {...rest}>
        {children}
      </Slot.Root>
    );
  }
  return (
    <button
      type="button"
      className={classes}
      disabled={disabled === true || pending === true}
      aria-busy={pending === true || undefined}
      {...rest}
    >
      {pending ? <LoaderCircle aria-hidden className="animate-spin" /> : null}
      {children}
    </button>
  );
}
