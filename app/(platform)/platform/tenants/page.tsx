import type { Metadata } from "next";
import { Suspense } from "react";
import { TenantsPage } from "@/components/tenants/tenants-page";
import { NoRight } from "@/components/ui/no-right";
import { platformPageContext } from "@/lib/auth/request-context";

export const metadata: Metadata = { title: "Tenants" };

export default async function Page() {
  const { me } = await platformPageContext();
  if (!me.platformAdmin) return <NoRight what="Tenants" permission="platform:read" />;
  return (
    <Suspense>
      <TenantsPage />
    </Suspense>
  );
}
