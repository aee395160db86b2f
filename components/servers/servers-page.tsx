"use client";
import { useQuery } from "@tanstack/react-query";
import { useMay } from "@/components/shell/me-context";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { PageHeader } from "@/components/ui/page-header";
import { SkeletonRows } from "@/components/ui/skeleton";
import { serversQuery } from "@/lib/client/servers";
import { RegisterLink } from "./register-link";
import { ServerTable } from "./server-table";

/** The registered servers and how they fare. */
export function ServersPage({ tenant }: { readonly tenant: string }) {
  const servers = useQuery(serversQuery(tenant));
  const mayWrite = useMay("servers:write");
  const register = <RegisterLink tenant={tenant} />;
  const isEmpty = servers.data?.length === 0;
  return (
    <>
      <PageHeader
        title="Servers"
        purpose="The MCP servers that agents reach through this gateway."
        actions={isEmpty ? null : register}
      />
      {servers.error ? (
        <ErrorState error={servers.error} onRetry={servers.refetch} />
      ) : !servers.data ? (
        <SkeletonRows label="Loading servers" />
      ) : isEmpty ? (
        <EmptyState
          title="No servers yet"
          why={
            mayWrite
              ? "Paste a URL, a command or an mcpServers block; the gateway asks the server what it is and guides you from there."
              : "Nobody has registered a server. It takes the permission servers:write."
          }
          action={register}
        />
      ) : (
        <ServerTable tenant={tenant} servers={servers.data} />
      )}
    </>
  );
}
