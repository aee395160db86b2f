"use client";
import { ErrorState } from "@/components/ui/error-state";

type Props = { readonly error: Error & { digest?: string }; readonly reset: () => void };

/** Messages of server errors stay on the server; the digest finds them in the log. */
export default function ErrorPage({ error, reset }: Props) {
  return (
    <main className="mx-auto flex min-h-dvh max-w-xl flex-col justify-center p-4">
      <h1 className="sr-only">Error</h1>
      <ErrorState
        title="This page could not be shown"
        error={{ message: "Something went wrong on our side.", requestId: error.digest }}
        onRetry={reset}
      />
    </main>
  );
}
