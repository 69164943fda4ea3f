// SPDX-License-Identifier: Apache-2.0
// Where the page begins.
import { createRoot } from "react-dom/client";
import { App } from "./page/app";
import "./style.css";

createRoot(document.getElementById("root") as HTMLElement).render(<App />);
