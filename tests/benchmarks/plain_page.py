"""The peer of the laboratory's page: one slider and one chart, as Streamlit's own tutorial would do it."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from rnnviz import gradient_flow
from tests.benchmarks.laboratory import CURVE

gain = st.slider("Gain g", 0.0, 3.0, 1.0, 0.05)
flow = gradient_flow(replace(CURVE, gain=gain))
figure = go.Figure(go.Scatter(x=np.arange(1, CURVE.seq_len + 1), y=flow.total))
figure.update_yaxes(type="log", range=[-8, 2])
st.plotly_chart(figure, key="curve")
