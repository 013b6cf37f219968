/** The addresses of the shell; every screen but the first loads when it is asked for. */
import { createRouter, createWebHistory } from "vue-router";
import CityScreen from "./screens/city/CityScreen.vue";
import type { Key } from "./i18n";

declare module "vue-router" {
  interface RouteMeta {
    title?: Key;
  }
}

export const router = createRouter({
  history: createWebHistory(),
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  routes: [
    { path: "/", name: "city", component: CityScreen, meta: { title: "nav.city" } },
    { path: "/incidents", name: "incidents", component: () => import("./screens/incidents/IncidentList.vue"), meta: { title: "nav.incidents" } },
    { path: "/incidents/:number", name: "incident", component: () => import("./screens/incidents/IncidentPage.vue"), props: true, meta: { title: "nav.incidents" } },
    { path: "/vitals/:name", name: "vital", component: () => import("./screens/evidence/VitalPage.vue"), props: true, meta: { title: "vitals.title" } },
    { path: "/ledger", name: "ledger", component: () => import("./screens/evidence/LedgerPage.vue"), meta: { title: "nav.ledger" } },
    { path: "/catalogue", name: "catalogue", component: () => import("./screens/data/CataloguePage.vue"), meta: { title: "nav.catalogue" } },
    { path: "/city3d", name: "city3d", component: () => import("./screens/city3d/City3dPage.vue"), meta: { title: "nav.city3d" } },
    { path: "/:rest(.*)*", name: "missing", component: () => import("./screens/MissingPage.vue") },
  ],
});
