/** Starts the web shell. */
import { createApp } from "vue";
import App from "./App.vue";
import { startEvents } from "./api/events";
import { router } from "./router";
import { restoreSession } from "./state/session";
import "./design/fonts.css";
import "./design/tokens.css";
import "./design/base.css";

createApp(App).use(router).mount("#app");
startEvents();
void restoreSession();
