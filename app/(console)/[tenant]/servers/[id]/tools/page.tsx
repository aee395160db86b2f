import { redirect } from "next/navigation";

/** What the breadcrumb of a tool leads to. */
export default async function Page({ params }: { readonly params: Promise<{ tenant: string; id: string }> }) {
  const { tenant, id } = await params;
  redirect(`/${encodeURIComponent(tenant)}/servers/${encodeURIComponent(id)}?tab=tools`);
}
