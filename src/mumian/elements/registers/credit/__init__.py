"""Public credit 公共信用: facts about legal persons with publication, expiry and repair 信用修复."""
