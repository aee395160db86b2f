import { redirect } from "next/navigation";
import { visitor } from "@/lib/auth/request-context";

export const dynamic = "force-dynamic";

/** Where a person belongs: their tenant's overview, the platform, the page that says they have none, or sign-in. */
export default async function StartPage() {
  const found = await visitor();
  if (found === null) redirect("/sign-in");
  const tenant = found.me.activeTenant ?? found.me.tenants[0];
  if (tenant !== undefined) redirect(`/${tenant.slug}/overview`);
  redirect(found.me.platformAdmin ? "/platform/tenants" : "/no-tenant");
}
