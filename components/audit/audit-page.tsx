"use client";
import { useIsFetching, useMutation, useQueryClient } from "@tanstack/react-query";
import { Download, RefreshCw, ShieldCheck } from "lucide-react";
import { createSerializer, useQueryStates } from "nuqs";
import { AuditFilters } from "@/components/audit/audit-filters";
import { auditParams, type FilterChange, filterOf } from "@/components/audit/audit-params";
import { EntryDrawer } from "@/components/audit/entry-drawer";
import { EntryList } from "@/components/audit/entry-list";
import { FilterChips } from "@/components/audit/filter-chips";
import { VerifyPanel } from "@/components/audit/verify-panel";
import { useMay } from "@/components/shell/me-context";
import { Button, buttonClass } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { PageHeader } from "@/components/ui/page-header";
import { auditKeys, type EntryFilter, exportAddress, verifyChain } from "@/lib/client/audit";

const serialize = createSerializer(auditParams);

type ActionsProps = {
  readonly tenant: string;
  readonly filter: EntryFilter;
  readonly verifying: boolean;
  readonly onVerify: () => void;
};

function Actions({ tenant, filter, verifying, onVerify }: ActionsProps) {
  const client = useQueryClient();
  const mayExport = useMay("audit:export");
  const refreshing = useIsFetching({ queryKey: auditKeys.entries(tenant, filter) }) > 0;
  return (
    <>
      <Button
        size="icon"
        aria-label="Refresh"
        title="Refresh"
        disabled={refreshing}
        onClick={() => void client.invalidateQueries({ queryKey: auditKeys.entries(tenant, filter) })}
      >
        <RefreshCw aria-hidden />
      </Button>
      {mayExport ? (
        <a href={exportAddress(tenant, filter)} download className={buttonClass()}>
          <Download aria-hidden /> Export JSONL
        </a>
      ) : null}
      <Button variant="primary" pending={verifying} onClick={onVerify}>
        {verifying ? null : <ShieldCheck aria-hidden />} Verify chain
      </Button>
    </>
  );
}

/** The trail: what happened, newest first, and whether its chain holds. */
export function AuditPage({ tenant }: { readonly tenant: string }) {
  const [params, setParams] = useQueryStates(auditParams);
  const verification = useMutation({ mutationFn: () => verifyChain(tenant) });
  const filter = filterOf(params);
  const open = (entry: string | null) => void setParams({ entry }, { history: "push" });
  const change = (next: FilterChange) => void setParams(next);
  const hrefOf = (entry: string) => serialize(`/${tenant}/audit`, { ...params, entry });
  return (
    <>
      <PageHeader
        title="Audit trail"
        purpose="Every call, refusal, change and sign-in, each linked to the one before it."
        actions={
          <Actions
            tenant={tenant}
            filter={filter}
            verifying={verification.isPending}
            onVerify={() => verification.mutate()}
          />
        }
      />
      {verification.data ? (
        <VerifyPanel report={verification.data} hrefOf={hrefOf} onOpen={open} onDismiss={verification.reset} />
      ) : null}
      {verification.error ? (
        <ErrorState
          title="The chain could not be verified"
          error={verification.error}
          onRetry={() => verification.mutate()}
        />
      ) : null}
      <AuditFilters tenant={tenant} params={params} onChange={change} />
      <FilterChips params={params} onChange={change} />
      <EntryList tenant={tenant} params={params} onFilter={change} hrefOf={hrefOf} onOpen={open} />
      {params.entry === null ? null : (
        <EntryDrawer tenant={tenant} id={params.entry} hrefOf={hrefOf} onOpen={open} onClose={() => open(null)} />
      )}
    </>
  );
}
