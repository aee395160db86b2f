"use client";
import { ErrorState } from "@/components/ui/error-state";

type Props = { readonly error: Error & { digest?: string }; readonly reset: () => void };

/** Messages of server errors stay on the server; the digest finds them in the log. */
export default function ConsoleError({ error, reset }: Props) {
  return (
    <>
      <h1 className="sr-only">Error</h1>
      <ErrorState
        title="This page could not be shown"
        error={{ message: "Something went wrong on our side.", requestId: error.digest }}
        onRetry={reset}
      />
    </>
  );
}
