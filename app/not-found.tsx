import Link from "next/link";
import { buttonClass } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";

export const metadata = { title: "Not found" };

export default function NotFound() {
  return (
    <main className="mx-auto flex min-h-dvh max-w-xl flex-col justify-center p-4">
      <h1 className="sr-only">Not found</h1>
      <EmptyState
        title="Nothing is here"
        why="The address is wrong, the thing was removed, or you have no access to it."
        action={
          <Link href="/" className={buttonClass({ variant: "primary" })}>
            Go to the start
          </Link>
        }
      />
    </main>
  );
}
