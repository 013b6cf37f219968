"""Cryptography 密码: digests and signatures in an international and a national suite, behind one provider port."""
