"""The Hugging Face Hub: names of repositories, what is fetched and sent, and what can go wrong. Knows no tile or model.

All of it goes through `huggingface_hub`, with its cache, its tokens (`hf auth login`, `HF_TOKEN`) and `HF_ENDPOINT`.
"""
