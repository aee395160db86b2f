import type { Metadata } from "next";
import { Guarded } from "@/app/(console)/guarded";
import { SettingsPage } from "@/components/settings/settings-page";

export const metadata: Metadata = { title: "Settings" };

export default async function Page({ params }: { readonly params: Promise<{ tenant: string }> }) {
  const { tenant } = await params;
  return (
    <Guarded tenant={tenant} what="Settings" needs="tenant:read">
      <SettingsPage tenant={tenant} />
    </Guarded>
  );
}
