import { cn } from "@/components/ui/cn";

/** A place holder of the size of what comes. Appears only after 200 ms, so quick answers never flash. */
export function Skeleton({ className }: { readonly className?: string | undefined }) {
  return (
    <div aria-hidden className={cn("h-4 animate-late", className)}>
      <div className="size-full rounded-md bg-hover motion-safe:animate-pulse" />
    </div>
  );
}

/** Rows of a table that is on its way. */
export function SkeletonRows({ rows = 8, label = "Loading" }: { readonly rows?: number; readonly label?: string }) {
  return (
    <div role="status" aria-label={label} className="flex flex-col gap-2 py-2">
      {Array.from({ length: rows }, (_, row) => `row-${row}`).map((key) => (
        <Skeleton key={key} className="h-6" />
      ))}
    </div>
  );
}
