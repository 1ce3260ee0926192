"""What a visitor sees and touches; the only part of rnnviz that imports Streamlit."""
