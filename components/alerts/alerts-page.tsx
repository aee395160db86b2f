"use client";
import { useInfiniteQuery } from "@tanstack/react-query";
import { createSerializer, useQueryStates } from "nuqs";
import { AlertDrawer } from "@/components/alerts/alert-drawer";
import { AlertList } from "@/components/alerts/alert-list";
import { ALERT_TABS, alertParams } from "@/components/alerts/alert-params";
import { RulesTab } from "@/components/alerts/rules-tab";
import { ChannelsTab } from "@/components/channels/channels-tab";
import { PageHeader } from "@/components/ui/page-header";
import { Tabs } from "@/components/ui/tabs";
import { alertsQuery } from "@/lib/client/alerts";

const serialize = createSerializer(alertParams);

/** What is wrong and was, which rules say so, and who is told. */
export function AlertsPage({ tenant }: { readonly tenant: string }) {
  const [{ tab, server, alert }, set] = useQueryStates(alertParams);
  const state = tab === "all" ? "all" : "open";
  const listed = useInfiniteQuery({
    ...alertsQuery(tenant, { state, server }),
    enabled: tab === "open" || tab === "all",
  });
  const known = listed.data?.pages.flatMap((page) => page.items).find(({ id }) => id === alert);
  const open = (id: string | null) => void set({ alert: id }, { history: "push" });
  const list = (
    <AlertList
      tenant={tenant}
      state={state}
      server={server}
      openId={alert}
      hrefOf={(id) => serialize(`/${tenant}/alerts`, { tab, server, alert: id })}
      onOpen={open}
      onServer={(next) => void set({ server: next })}
    />
  );
  return (
    <>
      <PageHeader
        title="Alerts"
        purpose="What is wrong, since when and for whom; which rules say so, and who is told."
      />
      <Tabs
        label="Alerts"
        value={tab}
        onValueChange={(next) => void set({ tab: ALERT_TABS.find((other) => other === next) ?? null, alert: null })}
        items={[
          { value: "open", label: "Open", content: list },
          { value: "all", label: "All", content: list },
          { value: "rules", label: "Rules", content: <RulesTab tenant={tenant} /> },
          { value: "channels", label: "Channels", content: <ChannelsTab tenant={tenant} /> },
        ]}
      />
      {alert === null ? null : <AlertDrawer tenant={tenant} id={alert} known={known} onClose={() => open(null)} />}
    </>
  );
}
