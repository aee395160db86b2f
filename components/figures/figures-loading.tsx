import { Skeleton } from "@/components/ui/skeleton";

/** Of the height of what comes. */
export function FiguresLoading() {
  return (
    <div role="status" aria-label="Loading figures" className="flex flex-col gap-4">
      <Skeleton className="h-16" />
      <div className="grid gap-4 xl:grid-cols-2">
        <Skeleton className="h-[314px]" />
        <Skeleton className="h-[314px]" />
        <Skeleton className="h-[376px] xl:col-span-2" />
        <Skeleton className="h-[314px]" />
        <Skeleton className="h-[314px]" />
      </div>
    </div>
  );
}
