{# Every customer is in segment `all`, and once in each attribute named by the var `segments`. #}
{%- set attributes = [] -%}
{%- for name in column_names(ref("dim_customers")) if name in var("segments") -%}
    {%- do attributes.append(name) -%}
{%- endfor -%}
with
    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    final as (
        select customer_key, 'all' as segment_by, 'all' as segment
        from customers
        {% for name in attributes | sort %}
            union all
            select
                customer_key,
                '{{ name }}' as segment_by,
                coalesce(
                    cast({{ adapter.quote(name) }} as {{ dbt.type_string() }}),
                    'unknown'
                ) as segment
            from customers
        {% endfor %}
    )

select *
from final
