import type { Metadata } from "next";
import { Guarded } from "@/app/(console)/guarded";
import { AlertsPage } from "@/components/alerts/alerts-page";

export const metadata: Metadata = { title: "Alerts" };

export default async function Page({ params }: { readonly params: Promise<{ tenant: string }> }) {
  const { tenant } = await params;
  return (
    <Guarded tenant={tenant} what="Alerts" needs="alerts:read">
      <AlertsPage tenant={tenant} />
    </Guarded>
  );
}
