"use client";
import { useQuery } from "@tanstack/react-query";
import { CircleCheck, LoaderCircle } from "lucide-react";
import Link from "next/link";
import { useState } from "react";
import { ErrorState } from "@/components/ui/error-state";
import { Time } from "@/components/ui/time";
import type { FirstCallView } from "@/lib/agents/schemas";
import { firstCallQuery } from "@/lib/client/agents";

/** Four looks within the two seconds that are promised, so that one may be slow. */
const LOOK_EVERY_MS = 500;

/** Waits for the door to hear from the agent while this page is open, and turns green when it does. */
export function FirstCall({ tenant, id }: { readonly tenant: string; readonly id: string }) {
  // The entry that was the latest when the page opened: anything else is news.
  const [before, setBefore] = useState<string | null | undefined>(undefined);
  const call = useQuery({
    ...firstCallQuery(tenant, id),
    // Whoever makes the first call looks at another window meanwhile.
    refetchIntervalInBackground: true,
    refetchInterval: (query) => {
      const entry = query.state.data?.entry;
      return before !== undefined && entry !== undefined && entry !== before ? false : LOOK_EVERY_MS;
    },
  });
  if (before === undefined && call.data) setBefore(call.data.entry);
  if (call.error) return <ErrorState error={call.error} onRetry={call.refetch} />;
  const seen = call.data?.seen === true ? call.data : null;
  const arrived = seen !== null && seen.entry !== before;
  return (
    <div
      role="status"
      className={
        arrived
          ? "flex flex-col gap-1 rounded-md bg-ok-soft px-4 py-3 text-sm"
          : "flex flex-col gap-1 rounded-md border border-dashed border-edge px-4 py-3 text-sm"
      }
    >
      {arrived ? (
        <p className="flex items-center gap-2 font-medium text-ok">
          <CircleCheck aria-hidden className="size-4" />
          Connected
        </p>
      ) : (
        <p className="flex items-center gap-2">
          <LoaderCircle aria-hidden className="size-4 motion-safe:animate-spin" />
          {seen ? "Waiting for the next call…" : "Waiting for the first call…"}
        </p>
      )}
      {seen ? <LastCall tenant={tenant} call={seen} /> : <p className="text-muted">This turns green by itself.</p>}
    </div>
  );
}

function LastCall({ tenant, call }: { readonly tenant: string; readonly call: FirstCallView }) {
  return (
    <>
      <p>
        Latest call: <code className="font-mono text-xs break-all">{call.tool ?? "unknown tool"}</code>,{" "}
        {call.outcome ?? "no outcome yet"}
        {call.at ? (
          <>
            , <Time iso={call.at} />
          </>
        ) : null}
        .
      </p>
      {call.entry ? (
        <Link
          className="self-start text-accent-text underline underline-offset-2"
          href={`/${tenant}/audit?range=all&entry=${call.entry}`}
        >
          Open its audit entry
        </Link>
      ) : null}
    </>
  );
}
