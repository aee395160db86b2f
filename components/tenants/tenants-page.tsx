"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { PageHeader } from "@/components/ui/page-header";
import { ReasonDialog } from "@/components/ui/reason-dialog";
import { SkeletonRows } from "@/components/ui/skeleton";
import { toast } from "@/components/ui/toast";
import { problemText } from "@/lib/client/form-issues";
import { changeTenant, tenantKeys, tenantsQuery } from "@/lib/client/tenants";
import type { TenantView } from "@/lib/tenants/schemas";
import { CreateTenantDialog } from "./create-tenant-dialog";
import { EndPersonDialog } from "./end-person-dialog";
import { TenantTable } from "./tenant-table";

/** Every tenant of this installation, for platform admins. */
export function TenantsPage() {
  const tenants = useQuery(tenantsQuery());
  const [creating, setCreating] = useState(false);
  const [switching, setSwitching] = useState<TenantView | null>(null);
  const [ending, setEnding] = useState(false);
  const create = (
    <Button variant="primary" onClick={() => setCreating(true)}>
      <Plus aria-hidden />
      Create tenant
    </Button>
  );
  return (
    <>
      <PageHeader
        title="Tenants"
        purpose="Each is sealed off from the others: its own people, servers, keys and trail."
        actions={
          <>
            <Button onClick={() => setEnding(true)}>End a person's sessions</Button>
            {create}
          </>
        }
      />
      {tenants.error ? (
        <ErrorState error={tenants.error} onRetry={tenants.refetch} />
      ) : !tenants.data ? (
        <SkeletonRows label="Loading tenants" />
      ) : tenants.data.length === 0 ? (
        <EmptyState
          title="No tenants yet"
          why="A tenant holds people, servers and their trail. Its first admin is invited with it."
          action={create}
        />
      ) : (
        <TenantTable tenants={tenants.data} onSwitch={setSwitching} />
      )}
      {creating ? <CreateTenantDialog onClose={() => setCreating(false)} /> : null}
      {ending ? <EndPersonDialog onClose={() => setEnding(false)} /> : null}
      {switching ? <SwitchTenant tenant={switching} onClose={() => setSwitching(null)} /> : null}
    </>
  );
}

function SwitchTenant({ tenant, onClose }: { readonly tenant: TenantView; readonly onClose: () => void }) {
  const client = useQueryClient();
  const suspend = tenant.status === "active";
  const change = useMutation({
    mutationFn: (reason: string) => changeTenant({ id: tenant.id, status: suspend ? "suspended" : "active", reason }),
    onSuccess: async (saved) => {
      toast.success(`${saved.name} is ${saved.status}.`);
      await client.invalidateQueries({ queryKey: tenantKeys.all });
      onClose();
    },
  });
  return (
    <ReasonDialog
      title={`${suspend ? "Suspend" : "Resume"} ${tenant.name}`}
      description={
        suspend
          ? "Nobody gets in and every agent of it is refused within seconds. Its data and its trail stay."
          : "Its people and agents get in again as before."
      }
      action={suspend ? "Suspend tenant" : "Resume tenant"}
      danger={suspend}
      pending={change.isPending}
      error={change.error ? problemText(change.error) : null}
      onConfirm={(reason) => change.mutate(reason)}
      onClose={onClose}
    />
  );
}
