import { dehydrate, HydrationBoundary } from "@tanstack/react-query";
import { cookies } from "next/headers";
import type { ReactNode } from "react";
import { ConsoleShell } from "@/components/shell/console-shell";
import { RAIL_COOKIE, RAIL_NARROW } from "@/components/shell/rail-cookie";
import { listAlerts } from "@/lib/alerts/read";
import { perform } from "@/lib/audit/perform";
import { pageContext } from "@/lib/auth/request-context";
import { OPEN_ALERTS_SHOWN, openAlertsQuery } from "@/lib/client/alerts";
import { killSwitchesQuery } from "@/lib/client/kill-switches";
import { makeQueryClient } from "@/lib/client/query-client";
import { covers } from "@/lib/core/permission";
import { listKillSwitches } from "@/lib/kill-switches/read";

type Props = { readonly params: Promise<{ tenant: string }>; readonly children: ReactNode };

/**
 * The banner and the page ask what is stopped, the rail and the page what fires. Answered before either is drawn: were it
 * asked by the banner, the page, which comes to life later, would find another state than the server drew.
 */
async function shellState(tenant: string) {
  const { ctx, me } = await pageContext(tenant);
  const client = makeQueryClient();
  const may = (permission: string) => covers(new Set(me.permissions), permission);
  await Promise.allSettled([
    may("tenant:read")
      ? client.query({
          ...killSwitchesQuery(tenant),
          queryFn: () => perform(listKillSwitches, ctx, {}),
          retry: false,
        })
      : null,
    may("alerts:read")
      ? client.query({
          ...openAlertsQuery(tenant),
          queryFn: () => perform(listAlerts, ctx, { state: "open", limit: OPEN_ALERTS_SHOWN }),
          retry: false,
        })
      : null,
  ]);
  return { me, state: dehydrate(client) };
}

export default async function ConsoleLayout({ params, children }: Props) {
  const { tenant } = await params;
  const { me, state } = await shellState(tenant);
  const collapsed = (await cookies()).get(RAIL_COOKIE)?.value === RAIL_NARROW;
  return (
    <HydrationBoundary state={state}>
      <ConsoleShell me={me} tenant={tenant} startCollapsed={collapsed}>
        {children}
      </ConsoleShell>
    </HydrationBoundary>
  );
}
