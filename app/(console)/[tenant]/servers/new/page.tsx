import type { Metadata } from "next";
import { Guarded } from "@/app/(console)/guarded";
import { RegisterWizard } from "@/components/servers/register-wizard";

export const metadata: Metadata = { title: "Register a server" };

export default async function Page({ params }: { readonly params: Promise<{ tenant: string }> }) {
  const { tenant } = await params;
  return (
    <Guarded tenant={tenant} what="Registering servers" needs="servers:write">
      <RegisterWizard tenant={tenant} />
    </Guarded>
  );
}
