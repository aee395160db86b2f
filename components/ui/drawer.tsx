"use client";
import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import { type KeyboardEventHandler, type ReactNode, useRef } from "react";
import { Button } from "@/components/ui/button";
import { cn } from "@/components/ui/cn";
import { useNarrow } from "@/components/ui/use-narrow";

export type DrawerProps = {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly title: ReactNode;
  /** Buttons beside the close button, e.g. previous / next. */
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  readonly footer?: ReactNode;
  readonly onKeyDown?: KeyboardEventHandler<HTMLDivElement>;
  readonly className?: string | undefined;
};

/** Details at the right; the list behind stays usable. Under 640 px it covers the screen like a page. */
export function Drawer({ open, onOpenChange, title, actions, children, footer, onKeyDown, className }: DrawerProps) {
  const narrow = useNarrow();
  const opener = useRef<Element | null>(null);
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange} modal={narrow}>
      <Radix.Portal>
        <Radix.Content
          aria-describedby={undefined}
          onOpenAutoFocus={() => {
            opener.current = document.activeElement;
          }}
          // Whoever leaves the details goes on where they left the list.
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            if (opener.current instanceof HTMLElement && opener.current.isConnected) opener.current.focus();
          }}
          // Choosing another row must not close it first.
          onInteractOutside={(event) => event.preventDefault()}
          {...(onKeyDown === undefined ? {} : { onKeyDown })}
          className={cn(
            "fixed inset-0 z-40 flex animate-slide-in flex-col bg-raised text-text outline-none sm:left-auto sm:w-[min(560px,90vw)] sm:border-l sm:border-line sm:shadow-xl",
            className,
          )}
        >
          <div className="flex items-start justify-between gap-3 border-b border-line px-4 py-3">
            <Radix.Title className="min-w-0 text-base font-semibold break-words">{title}</Radix.Title>
            <div className="flex shrink-0 items-center gap-1">
              {actions}
              <Radix.Close asChild>
                <Button variant="ghost" size="icon-sm" aria-label="Close">
                  <X aria-hidden />
                </Button>
              </Radix.Close>
            </div>
          </div>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
          <div tabIndex={0} className="min-h-0 flex-1 overflow-y-auto px-4 py-4 focus-visible:-outline-offset-2">
            {children}
          </div>
          {footer ? <div className="flex flex-wrap gap-2 border-t border-line px-4 py-3">{footer}</div> : null}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
