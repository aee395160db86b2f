"use client";
import Link from "next/link";
import { WINDOW_OPTIONS } from "@/components/figures/figure-params";
import { RegisterLink } from "@/components/servers/register-link";
import { useMay } from "@/components/shell/me-context";
import { buttonClass } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import type { MetricsWindow } from "@/lib/client/metrics";

type Props = { readonly tenant: string; readonly window: MetricsWindow; readonly hasServers: boolean };

const timeWords = (window: MetricsWindow): string =>
  typeof window === "string"
    ? `in the last ${WINDOW_OPTIONS.find(({ value }) => value === window)?.words ?? window}`
    : "in this time";

/** Nothing was measured: which of the reasons it is, and the one next step. */
export function NoTraffic({ tenant, window, hasServers }: Props) {
  const mayConnect = useMay("agents:write");
  if (!hasServers)
    return (
      <EmptyState
        title="No server yet"
        why="Calls, errors and times will be here once agents call the tools of a registered server."
        action={<RegisterLink tenant={tenant} />}
      />
    );
  return (
    <EmptyState
      title={`No call ${timeWords(window)}`}
      why="Without calls there is nothing to measure: this says neither that the servers are well nor that they are not. Choose a longer window, or connect an agent."
      action={
        mayConnect ? (
          <Link href={`/${tenant}/agents`} className={buttonClass({ variant: "primary" })}>
            Connect an agent
          </Link>
        ) : undefined
      }
    />
  );
}
