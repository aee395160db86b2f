import { TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";

/** What is wrong with a form as a whole; nothing when nothing is. */
export function FormError({ children }: { readonly children?: ReactNode }) {
  if (!children) return null;
  return (
    <div role="alert" className="flex items-start gap-2 rounded-md bg-bad-soft px-3 py-2 text-sm text-bad">
      <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
      <div className="min-w-0 break-words">{children}</div>
    </div>
  );
}
