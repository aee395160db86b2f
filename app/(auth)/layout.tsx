import { Signature } from "lucide-react";
import type { ReactNode } from "react";

/** Before the console: the name of the house, and one thing to do. */
export default function AuthLayout({ children }: { readonly children: ReactNode }) {
  return (
    <div className="relative min-h-dvh bg-surface">
      <header className="absolute inset-x-0 top-0 flex items-center gap-2 px-4 py-4 font-semibold sm:px-6">
        <Signature aria-hidden className="size-5 text-accent-text" />
        Countersign
      </header>
      {children}
    </div>
  );
}
