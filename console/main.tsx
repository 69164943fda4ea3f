// SPDX-License-Identifier: Apache-2.0
// Where the page begins.
import {createRoot} from "react-dom/client"
import "./style.css"
import {en} from "./text/en"
import {zh} from "./text/zh"

const text = navigator.language.startsWith("zh") ? zh : en

createRoot(document.getElementById("root")!).render(<h1>{text.title}</h1>)
