import { dehydrate, HydrationBoundary, type QueryClient } from "@tanstack/react-query";
import { type ReactNode, Suspense } from "react";
import { NoRight } from "@/components/ui/no-right";
import { pageContext } from "@/lib/auth/request-context";
import { makeQueryClient } from "@/lib/client/query-client";
import type { RequestContext } from "@/lib/core/context";
import { covers } from "@/lib/core/permission";

export type GuardedProps = {
  readonly tenant: string;
  readonly what: string;
  readonly needs: string;
  /** What the page asks first. What fails here is asked again by the browser, which then shows why. */
  readonly load?: (
    client: QueryClient,
    ctx: RequestContext,
    may: (permission: string) => boolean,
  ) => readonly Promise<unknown>[];
  readonly children: ReactNode;
};

/** A page for those who hold a permission, with its first questions answered on the server. */
export async function Guarded({ tenant, what, needs, load, children }: GuardedProps) {
  const { ctx, me } = await pageContext(tenant);
  const may = (permission: string) => covers(new Set(me.permissions), permission);
  if (!may(needs)) return <NoRight what={what} permission={needs} />;
  const client = makeQueryClient();
  if (load) await Promise.allSettled(load(client, ctx, may));
  return (
    <HydrationBoundary state={dehydrate(client)}>
      <Suspense>{children}</Suspense>
    </HydrationBoundary>
  );
}
