{#
  The categories in which wallets are looked at, and whether our whole shop stands for one: it does
  for `all`, and for a category that no product of ours is filed under (a grocer's "groceries").
#}
with
    asked as (
        select source, category
        from {{ ref("dim_survey_questions") }}
        where role = 'category_spend'
        union
        select source, category
        from {{ ref("fct_brand_ratings") }}
        union
        select source, cast(null as {{ dbt.type_string() }}) as category
        from {{ ref("fct_orders") }}
    ),

    sold as (
        select distinct source, category
        from {{ ref("dim_products") }}
        where category is not null
    ),

    final as (
        select distinct
            asked.source,
            coalesce(asked.category, 'all') as category,
            sold.category is null as is_whole_shop
        from asked
        left join sold using (source, category)
    )

select *
from final
