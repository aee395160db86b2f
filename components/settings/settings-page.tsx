"use client";
import { parseAsStringLiteral, useQueryState } from "nuqs";
import { KillSwitchList } from "@/components/kill-switches/kill-switch-list";
import { TenantLimits } from "@/components/limits/tenant-limits";
import { useMe } from "@/components/shell/me-context";
import { PageHeader } from "@/components/ui/page-header";
import { Tabs } from "@/components/ui/tabs";
import { ApiTokens } from "./api-tokens";
import { TenantSettings } from "./tenant-settings";

const TABS = ["tenant", "limits", "kill", "tokens"] as const;

/** The tenant's own settings and one's API tokens. */
export function SettingsPage({ tenant }: { readonly tenant: string }) {
  const me = useMe();
  const [tab, setTab] = useQueryState("tab", parseAsStringLiteral(TABS).withDefault("tenant"));
  return (
    <>
      <PageHeader title="Settings" purpose="This tenant, its limits and kill switches, and your tokens for its API." />
      <Tabs
        label="Settings"
        value={tab}
        onValueChange={(next) => setTab(TABS.find((known) => known === next) ?? null)}
        items={[
          { value: "tenant", label: "Tenant", content: <TenantSettings tenant={tenant} /> },
          { value: "limits", label: "Limits", content: <TenantLimits tenant={tenant} /> },
          {
            value: "kill",
            label: "Kill switches",
            content: <KillSwitchList tenant={tenant} name={me.activeTenant?.name ?? tenant} />,
          },
          { value: "tokens", label: "API tokens", content: <ApiTokens tenant={tenant} /> },
        ]}
      />
    </>
  );
}
